"""`python -m gateway` is the `gateway` program."""

from gateway.cli import main

if __name__ == "__main__":
    main()
