// Returns which of the page's stops for the keyboard has the focus, how many there are, and whether a person sees it.
() => {
  const stops = [...document.querySelectorAll("a[href], summary, [tabindex='0']")]
    .filter((each) => each.checkVisibility({ visibilityProperty: true }));
  const each = document.activeElement, own = getComputedStyle(each), box = each.getBoundingClientRect();
  return {
    at: stops.indexOf(each),
    stops: stops.length,
    what: each.outerHTML.slice(0, 120),
    isMarked: own.outlineStyle !== "none" && parseFloat(own.outlineWidth) >= 2,
    isThere: box.width > 0 && box.right > 0 && box.left < innerWidth && box.bottom > 0 && box.top < innerHeight,
  };
}
