"""The only places that import packages which fail on some machines, each with its remedy."""
