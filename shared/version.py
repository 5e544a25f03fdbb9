"""Which roomcast this is: it runs from its tree, so no installed package could say it."""

VERSION = "0.1.0"
