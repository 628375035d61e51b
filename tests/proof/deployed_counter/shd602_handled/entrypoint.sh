#!/bin/sh
trap 'kill $pid' TERM
gunicorn shop.wsgi & pid=$!
wait
