"""A campaign's report: one page in HTML, to look at and to print."""
