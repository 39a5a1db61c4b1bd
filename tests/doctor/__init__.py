"""`pulse doctor`: every trouble that it knows is made here, and has to be found."""
