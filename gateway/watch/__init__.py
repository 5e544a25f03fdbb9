"""`python -m gateway watch`: rooms in a terminal, or as lines of JSON; a client of a gateway like any other."""
