// A real browser: Debian's Chromium, driven by Playwright.
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

const programs = ['/usr/bin/chromium-headless-shell', '/usr/bin/chromium'];

export function openBrowser() {
  const executablePath = programs.find(existsSync);
  if (!executablePath) throw new Error('no Chromium: tools/deps test installs it');
  const args = ['--disable-features=LocalNetworkAccessChecks']; // all that a test asks is on this machine
  if (process.getuid() === 0) args.push('--no-sandbox'); // which root cannot have; the pages are our own
  return chromium.launch({ executablePath, args });
}
