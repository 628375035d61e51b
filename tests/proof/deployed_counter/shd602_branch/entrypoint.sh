#!/bin/sh
case $1 in
  web) gunicorn shop.wsgi ;;
  *) celery -A shop worker ;;
esac
