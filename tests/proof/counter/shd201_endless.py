"""Nothing ends the loop: a join would hang."""

#| reason = "no way out"

import threading
import time


def beat():
    while True:
        time.sleep(1)


def main():
    beater = threading.Thread(target=beat)
    beater.start()


main()
