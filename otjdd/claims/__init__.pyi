from . import claim as claim
from . import judge as judge
from . import papers as papers
from . import report as report
