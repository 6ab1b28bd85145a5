"""Studies of many cases: the varied keys, the processes that compute, the Dataset of all points."""
