"""The command line `fairseq-instr SUBCOMMAND`: one module a subcommand, see `main`."""
