#!/bin/sh
web() {
  exec gunicorn shop.wsgi
}
"$@"
