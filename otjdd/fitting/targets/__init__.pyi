from . import files as files
from . import task as task
