// A button while what it gives is being made.

/**
 * @param {HTMLButtonElement} button
 * @param {string} text meanwhile
 * @param {() => Promise<void>} action
 */
export async function whileBusy(button, text, action) {
  const before = button.textContent;
  button.setAttribute("aria-busy", "true");
  button.textContent = text;
  try {
    await action();
  } finally {
    button.removeAttribute("aria-busy");
    button.textContent = before;
  }
}
