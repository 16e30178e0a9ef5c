// What modeltranslation's script needs of jQuery UI's `tabs`, and no more:
// $(el).tabs({active}), .tabs("option", "active", n), the event "tabsactivate".
// The container holds a <ul> of <li><a href="#panel">, then the panels.
"use strict";

(function () {
  const jQuery = window.jQuery || window.django.jQuery;

  function items(container) {
    return [...container.querySelectorAll(":scope > ul > li")];
  }

  function panelOf(item) {
    return document.getElementById(item.querySelector("a").hash.slice(1));
  }

  function activate(container, index, quiet) {
    const all = items(container);
    const chosen = all[index] || all[0];
    if (!chosen) return;
    for (const item of all) {
      const link = item.querySelector("a");
      const active = item === chosen;
      item.classList.toggle("ui-tabs-active", active);
      link.setAttribute("aria-selected", String(active));
      link.tabIndex = active ? 0 : -1;
      const panel = panelOf(item);
      if (panel) panel.hidden = !active;
    }
    if (!quiet) jQuery(container).trigger("tabsactivate", [{ newTab: jQuery(chosen) }]);
  }

  function move(container, event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const all = items(container);
    const now = all.findIndex((item) => item.contains(event.target));
    const next = (now + step + all.length) % all.length;
    activate(container, next);
    all[next].querySelector("a").focus();
  }

  function make(container, active) {
    container.classList.add("lang-tabs");
    const list = container.querySelector(":scope > ul");
    if (!list) return;
    list.setAttribute("role", "tablist");
    items(container).forEach((item, index) => {
      const link = item.querySelector("a");
      link.setAttribute("role", "tab");
      panelOf(item)?.setAttribute("role", "tabpanel");
      link.addEventListener("click", (event) => {
        event.preventDefault();
        activate(container, index);
      });
    });
    list.addEventListener("keydown", (event) => move(container, event));
    activate(container, active || 0, true);
  }

  jQuery.fn.tabs = function (first, name, value) {
    this.each(function () {
      if (first === "option" && name === "active") activate(this, value, true);
      else make(this, first && first.active);
    });
    return this;
  };
})();
