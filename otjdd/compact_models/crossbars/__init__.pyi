from . import models as models
from . import network as network
from . import pulses as pulses
from . import simulate as simulate
