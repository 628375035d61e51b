#!/bin/sh
cd . && "$@"
