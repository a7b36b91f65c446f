#!/usr/bin/env node
// Stands in the repository, executable, because npm links commands before anything is built.
import '../dist/main.js';
