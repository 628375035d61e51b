#!/bin/sh
{ gunicorn shop.wsgi; } > /logs/web
