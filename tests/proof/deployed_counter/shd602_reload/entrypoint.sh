#!/bin/sh
trap 'echo reload' HUP
gunicorn shop.wsgi
