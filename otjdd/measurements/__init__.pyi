from . import choice as choice
from . import columns as columns
from . import datasets as datasets
from . import instruments as instruments
from . import names as names
from . import read as read
from . import sheet as sheet
from . import tables as tables
