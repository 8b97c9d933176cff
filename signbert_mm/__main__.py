"""``python -m signbert_mm``: the console command."""

from .cli.main import main

if __name__ == '__main__':
    main()
