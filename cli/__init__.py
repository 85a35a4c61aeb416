"""The command line of symgrad: `derive`, `check`, `catalog`.  Installed as the package `symgrad_cli`."""
