"""Files of measured numbers: tables of instruments and of people, read into Datasets with units."""
