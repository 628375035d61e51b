#!/bin/sh
celery -A shop beat &
gunicorn shop.wsgi
