"""Argument parsers exit when all is well: `--help` would end the console."""

#| reason = "SystemExit in its normal course"

import argparse


def console(lines):
    parser = argparse.ArgumentParser()
    while lines:
        try:
            print(parser.parse_args(lines.pop().split()))
        except:
            print("try again")


console(["--help"])
