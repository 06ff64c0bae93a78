"""Start the playground; the same as the command fairseq-instr-playground."""

from fairseq_instr.playground.command import main

if __name__ == "__main__":
    main()
