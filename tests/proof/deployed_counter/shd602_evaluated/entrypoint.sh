#!/bin/sh
eval "$SETUP"
gunicorn shop.wsgi
