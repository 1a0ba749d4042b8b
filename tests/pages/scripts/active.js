// Returns what could run, load, or change how something looks.
() => {
  const isActive = (its) => /^(on.*|style|srcdoc)$/i.test(its.name) || /^\s*(javascript|vbscript):/i.test(its.value);
  return [...document.querySelectorAll("*")]
    .filter((each) => each.matches("script, iframe, object, embed, form, img, base, foreignObject, animate, set")
      || [...each.attributes].some(isActive))
    .map((each) => each.outerHTML.slice(0, 100));
}
