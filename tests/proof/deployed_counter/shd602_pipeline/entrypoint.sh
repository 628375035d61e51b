#!/bin/sh
gunicorn shop.wsgi | tee /logs/web
