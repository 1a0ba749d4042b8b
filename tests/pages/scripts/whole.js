// Returns the texts of each block that must not be broken on paper. One that is higher than a page cannot be kept whole.
() => [...document.querySelectorAll("body *:not(svg *)")]
  .filter((each) => getComputedStyle(each).breakInside.startsWith("avoid") && each.offsetHeight < 800)
  .map((each) => {
    const walker = document.createTreeWalker(each, NodeFilter.SHOW_TEXT), texts = [];
    for (let node; (node = walker.nextNode());)
      if (node.parentElement.checkVisibility() && !node.parentElement.closest(".vh, svg, details:not([open])"))
        texts.push(node.data);
    return texts;
  })
