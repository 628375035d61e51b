#!/bin/sh
gunicorn shop.wsgi
rm -f /run/web.pid
