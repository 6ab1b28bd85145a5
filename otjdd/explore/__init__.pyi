from . import experiments as experiments
from . import server as server
from . import session as session
from . import sliders as sliders
from . import workers as workers
