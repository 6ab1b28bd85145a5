from . import outputs as outputs
from . import store as store
from . import summary as summary
