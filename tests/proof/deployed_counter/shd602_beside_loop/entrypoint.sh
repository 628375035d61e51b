#!/bin/sh
while sleep 60; do
  python report.py
done &
gunicorn shop.wsgi
