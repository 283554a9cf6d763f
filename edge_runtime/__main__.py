"""`python -m edge_runtime` is the command `mentorplane`."""

from edge_runtime.cli import main

if __name__ == "__main__":
    main()
