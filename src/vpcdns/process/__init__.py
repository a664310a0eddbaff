"""One server put together and kept running: the program, its worker processes, privileges, signals."""
