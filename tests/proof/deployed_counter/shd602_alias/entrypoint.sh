#!/bin/bash
shopt -s expand_aliases
alias gunicorn="nice gunicorn"
gunicorn shop.wsgi
