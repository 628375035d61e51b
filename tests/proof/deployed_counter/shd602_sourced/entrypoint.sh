#!/bin/sh
. ./lib.sh
gunicorn shop.wsgi
