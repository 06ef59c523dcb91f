"""WordPress, as Debian packages it, against a server: wordpress.py ROOT PORT

ROOT has the unpacked packages. Installs it through its own pages, posts, comments,
searches and browses, changes options, and looks for what WordPress says of errors of the
database. The server has root without a password. Prints each step that fails, and in the
end how many passed.
"""
import http.cookiejar
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

root, port = sys.argv[1], int(sys.argv[2])
work = tempfile.mkdtemp()
site = os.path.join(work, "wordpress")
# Copied, since PHP looks for the configuration where a script really is.
shutil.copytree(f"{root}/usr/share/wordpress", site, symlinks=False, ignore_dangling_symlinks=True)
with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    web = free.getsockname()[1]
log = f"{work}/debug.log"
with open(f"{site}/wp-config.php", "w") as config:
    config.write(f"""<?php
define('DB_NAME', 'firn_wordpress'); define('DB_USER', 'root'); define('DB_PASSWORD', '');
define('DB_HOST', '127.0.0.1:{port}'); define('DB_CHARSET', 'utf8mb4'); define('DB_COLLATE', '');
foreach (['AUTH_KEY', 'SECURE_AUTH_KEY', 'LOGGED_IN_KEY', 'NONCE_KEY', 'AUTH_SALT', 'SECURE_AUTH_SALT',
    'LOGGED_IN_SALT', 'NONCE_SALT'] as $one) define($one, 'a text for ' . $one);
$table_prefix = 'wp_';
define('WP_DEBUG', true); define('WP_DEBUG_DISPLAY', false); define('WP_DEBUG_LOG', '{log}');
define('DISABLE_WP_CRON', true); define('WP_HTTP_BLOCK_EXTERNAL', true); define('AUTOMATIC_UPDATER_DISABLED', true);
if (!defined('ABSPATH')) define('ABSPATH', __DIR__ . '/');
require_once ABSPATH . 'wp-settings.php';
""")
subprocess.run(["php", "-r", f"""
$db = new mysqli('127.0.0.1', 'root', '', '', {port});
$db->query('DROP DATABASE IF EXISTS firn_wordpress'); $db->query('CREATE DATABASE firn_wordpress');
"""], check=True)
base = f"http://127.0.0.1:{web}"
server = subprocess.Popen(
    ["php", "-d", "memory_limit=256M", "-d", "sendmail_path=/bin/true", "-S", f"127.0.0.1:{web}", "-t", site],
    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
browser.addheaders = [("User-Agent", "firn")]
passed, failed = 0, 0


def get(path, form=None, data=None, headers=(), method=None):
    """The status and text of a page."""
    body = urllib.parse.urlencode(form).encode() if form is not None else data
    request = urllib.request.Request(base + path if path.startswith("/") else path, body, dict(headers), method=method)
    try:
        with browser.open(request, timeout=120) as answer:
            return answer.status, answer.read().decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode("utf-8", "replace")


def step(what, answer, *wanted, status=200):
    """A page that has these texts."""
    global passed, failed
    code, text = answer
    missing = [one for one in wanted if one not in text]
    broken = re.search(r"WordPress database error.{0,300}|Error establishing a database connection", text, re.S)
    if code == status and not missing and not broken:
        passed += 1
        return text
    failed += 1
    plain = re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", text))
    print(f"{what}: status {code}, missing {missing}, {broken and broken.group(0)}: {plain:.300}")
    return text


def api(what, path, value=None, method=None, status=200):
    headers = {"X-WP-Nonce": nonce, "Content-Type": "application/json"}
    data = json.dumps(value).encode() if value is not None else None
    text = step(what, get(f"/?rest_route={path}", data=data, headers=headers, method=method), status=status)
    try:
        return json.loads(text)
    except ValueError:
        return {}


try:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", web), 1).close()
            break
        except OSError:
            time.sleep(0.1)
    step("install, languages", get("/wp-admin/install.php"), "Information needed")
    step("install", get("/wp-admin/install.php?step=2", {
        "weblog_title": "Snow é 雪 🐍", "user_name": "admin", "admin_password": "long enough 1", "pw_weak": "on",
        "admin_password2": "long enough 1", "admin_email": "a@example.org", "blog_public": "0"}), "Success!")
    step("front page", get("/"), "Hello world!", "🐍")
    step("page to log in", get("/wp-login.php"), "Username")
    step("log in", get("/wp-login.php", {"log": "admin", "pwd": "long enough 1", "testcookie": "1",
                                        "redirect_to": f"{base}/wp-admin/"}), "Dashboard")
    _, nonce = get("/wp-admin/admin-ajax.php?action=rest-nonce")
    category = api("new category", "/wp/v2/categories", {"name": "Ice", "description": "cold"}, status=201)
    tag = api("new tag", "/wp/v2/tags", {"name": "blue"}, status=201)
    posts = []
    for number in range(12):
        posts.append(api("new post", "/wp/v2/posts", {
            "title": f"Glacier {number}", "content": f"Where word{number} is, ice moves ❄️.", "status": "publish",
            "categories": [category.get("id", 1)], "tags": [tag.get("id", 1)],
            "date": f"2024-{number + 1:02}-15T10:00:00"}, status=201))
    one = posts[3].get("id", 0)
    api("change a post", f"/wp/v2/posts/{one}", {"title": "Moraine", "content": "Stones word3."})
    api("revisions", f"/wp/v2/posts/{one}/revisions")
    api("draft", "/wp/v2/posts", {"title": "Hidden", "content": "not seen", "status": "draft"}, status=201)
    api("page", "/wp/v2/pages", {"title": "About", "content": "A page.", "status": "publish"}, status=201)
    comment = api("comment", "/wp/v2/comments", {"post": one, "content": "How fine."}, status=201)
    api("user", "/wp/v2/users", {"username": "eva", "email": "e@example.org", "password": "pw long 2",
                                 "roles": ["editor"]}, status=201)
    api("settings", "/wp/v2/settings", {"description": "of ice", "posts_per_page": 5})
    api("meta by the api", "/wp/v2/posts&per_page=3&orderby=title&order=asc&search=Glacier")
    doomed = posts[5].get("id", 0)
    api("trash", f"/wp/v2/posts/{doomed}", method="DELETE")
    api("delete", f"/wp/v2/posts/{posts[6].get('id', 0)}&force=true", method="DELETE")
    step("home", get("/"), "Glacier 11", "Glacier 10")
    step("second page", get("/?paged=2"), "Glacier")
    step("a post", get(f"/?p={one}"), "Moraine", "Stones word3", "How fine.")
    step("search", get("/?s=word7"), "Glacier 7")
    step("search of nothing", get("/?s=nosuchword"), "nosuchword")
    step("search of two words", get("/?s=ice+moves"), "Glacier 11")
    step("category", get(f"/?cat={category.get('id')}"), "Ice", "Glacier 11")
    step("tag", get("/?tag=blue"), "Glacier 11")
    step("month", get("/?m=202402"), "Glacier 1")
    step("author", get("/?author=1"), "Glacier 11")
    step("feed", get("/?feed=rss2"), "<rss", "Glacier 11")
    step("feed of comments", get("/?feed=comments-rss2"), "How fine.")
    step("sitemap", get("/?sitemap=index"), status=404)
    step("nothing there", get("/?p=99999"), status=404)
    for page, wanted in [
            ("index.php", "At a Glance"), ("edit.php", "Glacier 11"), ("edit.php?s=word7", "Glacier 7"),
            ("edit.php?m=202402", "Glacier 1"), ("edit.php?orderby=comment_count&order=desc", "Moraine"),
            ("edit.php?post_status=trash&post_type=post", "Glacier 5"), ("edit.php?post_type=page", "About"),
            ("edit-tags.php?taxonomy=category", "Ice"), ("edit-tags.php?taxonomy=post_tag", "blue"),
            ("upload.php?mode=list", "Media"), ("edit-comments.php", "How fine."), ("users.php", "eva"),
            ("users.php?s=eva", "eva"), ("profile.php", "a@example.org"), ("tools.php", "Tools"),
            ("options-general.php", "of ice"), ("options-reading.php", "Reading"), ("options-permalink.php", "Permalink"),
            ("plugins.php", "Plugins"), ("themes.php", "Themes"), ("site-health.php", "Site Health"),
            ("site-health.php?tab=debug", "Database"), ("export.php", "Export"), ("post-new.php", "Add New Post"),
            (f"post.php?post={one}&action=edit", "Moraine"), ("export.php?download=true&content=all", "Glacier 11")]:
        step(f"wp-admin/{page}", get(f"/wp-admin/{page}"), wanted)
    step("database repair is off", get("/wp-admin/maint/repair.php"), "repair")
    if os.path.exists(log):
        with open(log) as lines:
            errors = [line for line in lines if "WordPress database error" in line]
        for line in errors[:10]:
            print(line.strip()[:600])
        failed += len(errors)
finally:
    server.terminate()
    server.wait()
    shutil.rmtree(work)
print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0)
