"""Forms of the files that instruments write. A form is one row of `known.FORMS`; its tables come from a function here."""
