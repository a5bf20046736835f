// A real browser: Debian's Chromium, driven by Playwright.
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

const programs = ['/usr/bin/chromium-headless-shell', '/usr/bin/chromium'];

export function openBrowser() {
  const executablePath = programs.find(existsSync);
  if (!executablePath) throw new Error('no Chromium: tools/deps test installs it');
  // Chromium's sandbox does not work for root; what is opened here is our own.
  return chromium.launch({ executablePath, args: process.getuid() === 0 ? ['--no-sandbox'] : [] });
}
