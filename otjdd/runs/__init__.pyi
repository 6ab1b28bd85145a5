from . import error_estimate as error_estimate
from . import run as run
