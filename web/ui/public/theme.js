// Sets the chosen theme before the first paint; a file of its own, since the Content-Security-Policy allows no inline script.
try {
  const theme = localStorage.getItem('cordwood.theme')
  if (theme === '"light"' || theme === '"dark"') document.documentElement.dataset.theme = JSON.parse(theme)
} catch {
  // Storage may be forbidden; the system's theme is used then.
}
