"use strict";
const zoom = document.getElementById("zoom");
zoom.addEventListener("input", () => document.documentElement.style.setProperty("--zoom", zoom.value));
