from . import experiments as experiments
from . import server as server
from . import sliders as sliders
from . import tab as tab
from . import workers as workers
