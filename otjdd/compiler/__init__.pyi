from . import decorators as decorators
from . import kernel as kernel
from . import kernel_cache as kernel_cache
from . import pointer_tuples as pointer_tuples
