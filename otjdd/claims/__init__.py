"""Claims of a paper: what they run, what is measured, how they are judged, told and drawn."""
