from . import dataset as dataset
from . import jobs as jobs
from . import points as points
from . import study as study
