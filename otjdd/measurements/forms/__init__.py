"""Forms of the files that instruments write. Each is a row of `known.FORMS`, with a function that reads its tables."""
