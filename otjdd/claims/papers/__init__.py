"""What is of one paper only: numbers of several runs, with their rows of the table of metrics, and pictures of claims."""
