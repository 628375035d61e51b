trap 'echo reload' HUP
