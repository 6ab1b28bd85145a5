"""Files of measured numbers, written by instruments or by hand, read into Datasets with units."""
