"""A picture taken apart into what is worn, one layer each."""
