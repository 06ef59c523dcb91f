"""phpMyAdmin, as Debian packages it, against a server: phpmyadmin.py ROOT PORT

ROOT has the unpacked packages. Opens databases, tables, their structure and rows, the
pages about the server, and makes, changes, searches, exports and drops a table. A page
fails if it lacks what it is for, or shows an error of the server or of PHP. The server has
root without a password. Prints each page that fails, and in the end how many passed.
"""
import http.cookiejar
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
site = f"{work}/phpmyadmin"
shutil.copytree(f"{root}/usr/share/phpmyadmin", site, symlinks=False, ignore_dangling_symlinks=True)
os.makedirs(f"{work}/tmp")
vendor = f"{site}/libraries/vendor_config.php"
with open(vendor) as file:
    text = file.read()
text = text.replace("/var/lib/phpmyadmin/tmp/", f"{work}/tmp/").replace("/etc/phpmyadmin/config.inc.php", f"{work}/config.inc.php")
with open(vendor, "w") as file:
    file.write(text)
with open(f"{work}/config.inc.php", "w") as file:
    file.write(f"""<?php
$cfg['blowfish_secret'] = str_repeat('x', 32);
$i = 1;
$cfg['Servers'][$i] = ['auth_type' => 'config', 'host' => '127.0.0.1', 'port' => '{port}', 'user' => 'root',
    'password' => '', 'AllowNoPassword' => true];
$cfg['VersionCheck'] = false; $cfg['SendErrorReports'] = 'never'; $cfg['TempDir'] = '{work}/tmp';
$cfg['PmaNoRelation_DisableWarning'] = true;
""")
with open(f"{work}/setup.php", "w") as file:
    file.write(f"""<?php
mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);
$db = new mysqli('127.0.0.1', 'root', '', '', {port});
foreach (explode(";\\n", <<<'SQL'
DROP DATABASE IF EXISTS firn_pma;
CREATE DATABASE firn_pma;
CREATE TABLE firn_pma.parents (id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY, name VARCHAR(40) NOT NULL COMMENT 'its name', UNIQUE (name)) COMMENT='of others';
CREATE TABLE firn_pma.things (id BIGINT AUTO_INCREMENT PRIMARY KEY, parent INT UNSIGNED, price DECIMAL(9,2) DEFAULT '1.50', made DATETIME(3) DEFAULT CURRENT_TIMESTAMP(3), kind ENUM('a', 'b') DEFAULT 'a', picture BLOB, facts JSON, note TEXT, twice DECIMAL(10,2) AS (price * 2), KEY made (made), KEY note (note(10)), CONSTRAINT of_parent FOREIGN KEY (parent) REFERENCES firn_pma.parents (id) ON DELETE CASCADE, CHECK (price >= 0));
CREATE VIEW firn_pma.dear AS SELECT id, price FROM firn_pma.things WHERE price > 2;
INSERT INTO firn_pma.parents (name) VALUES ('mother'), ('father');
INSERT INTO firn_pma.things (parent, price, facts, note, picture) VALUES (1, 3.25, '{{"a": 1}}', 'snow é', x'00ff'), (2, 1, NULL, 'ice', NULL)
SQL) as $sql) $db->query($sql);
""")
subprocess.run(["php", f"{work}/setup.php"], check=True)
with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    web = free.getsockname()[1]
base = f"http://127.0.0.1:{web}"
server = subprocess.Popen(
    ["php", "-d", "memory_limit=512M", "-d", f"include_path=.:{root}/usr/share/php:/usr/share/php",
     "-d", f"session.save_path={work}/tmp", "-d", "display_errors=1", "-d", "error_reporting=E_ALL&~E_DEPRECATED",
     "-S", f"127.0.0.1:{web}", "-t", site], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
passed, failed, token = 0, 0, ""


def get(path, **form):
    body = urllib.parse.urlencode({**form, "token": token}, doseq=True).encode() if form else None
    headers = {"X-Requested-With": "XMLHttpRequest"} if form.get("ajax_request") else {}
    try:
        with browser.open(urllib.request.Request(base + path, body, headers), timeout=180) as answer:
            return answer.status, answer.read().decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode("utf-8", "replace")


ERRORS = [r"#[1-9]\d{3} ?- [^<\"]{1,200}", r"MySQL said", r"(Fatal|Parse) error:.{1,300}", r"<b>Warning</b>:.{1,300}",
          r"mysqli_sql_exception.{1,200}", r'"success":false.{1,400}', r"Cannot connect: invalid settings"]


def step(what, answer, *wanted):
    """A page that has these texts, and no errors."""
    global passed, failed
    code, text = answer
    missing = [one for one in wanted if one not in text]
    errors = [found.group(0) for found in (re.search(one, text, re.S) for one in ERRORS) if found]
    if code == 200 and not missing and not errors:
        passed += 1
    else:
        failed += 1
        plain = re.sub(r"\s+", " ", re.sub(r"<script.*?</script>|<[^>]*>", " ", text, flags=re.S))
        print(f"{what}: status {code}, missing {missing}, {errors}: {plain:.300}")
    return text


def page(route, *wanted):
    step(route, get(f"/index.php?route={route}"), *wanted)


def sql(text, *wanted):
    answer = get("/index.php?route=/sql", db="firn_pma", sql_query=text, ajax_request="1", is_js_confirmed="1")
    step(text, answer, '"success":true', *wanted)


try:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", web), 1).close()
            break
        except OSError:
            time.sleep(0.1)
    first = step("first page", get("/index.php"), "phpMyAdmin", "Database server", "root@")
    token = re.search(r'name="token" value="([^"]*)"', first).group(1) if 'name="token"' in first else ""
    step("navigation", get("/index.php?route=/navigation", ajax_request="1"), "firn_pma")
    page("/server/databases", "firn_pma", "utf8mb4_0900_ai_ci")
    page("/server/databases&statistics=1", "firn_pma")
    page("/server/sql", "Run SQL")
    page("/server/status", "server")
    page("/server/status/processes", "root")
    page("/server/status/queries", "Questions")
    page("/server/status/variables", "Uptime")
    page("/server/status/monitor", "monitor")
    page("/server/status/advisor", "Advisor")
    page("/server/privileges", "root")
    page("/server/privileges&username=root&hostname=%25", "Global privileges")
    page("/server/variables", "sql_mode")
    page("/server/collations", "utf8mb4_0900_ai_ci")
    page("/server/engines", "InnoDB")
    page("/server/engines/InnoDB", "InnoDB")
    page("/server/plugins", "Plugins")
    page("/server/export", "firn_pma")
    page("/server/import", "Importing")
    page("/server/replication", "eplication")
    page("/database/structure&db=firn_pma", "parents", "things", "dear", "InnoDB")
    page("/database/sql&db=firn_pma", "Run SQL")
    page("/database/search&db=firn_pma", "Search in database")
    page("/database/multi-table-query&db=firn_pma", "things")
    page("/database/export&db=firn_pma", "things")
    page("/database/import&db=firn_pma", "Importing")
    page("/database/operations&db=firn_pma", "Collation")
    page("/server/privileges&db=firn_pma&checkprivsdb=firn_pma&viewing_mode=db", "root")
    page("/database/routines&db=firn_pma", "outine")
    page("/database/events&db=firn_pma", "vent")
    page("/database/triggers&db=firn_pma", "rigger")
    page("/database/data-dictionary&db=firn_pma", "of others", "its name", "things")
    page("/sql&db=firn_pma&table=things&pos=0", "snow", "3.25")
    page("/sql&db=firn_pma&table=dear&pos=0", "3.25")
    page("/table/structure&db=firn_pma&table=things", "twice", "made", "PRIMARY")
    page("/table/structure&db=firn_pma&table=parents", "its name", "AUTO_INCREMENT")
    page("/table/structure&db=firn_pma&table=dear", "price")
    page("/table/sql&db=firn_pma&table=things", "Run SQL")
    page("/table/search&db=firn_pma&table=things", "price")
    page("/table/zoom-search&db=firn_pma&table=things", "price")
    page("/table/find-replace&db=firn_pma&table=things", "Replace")
    page("/table/change&db=firn_pma&table=things", "price")
    page("/table/export&db=firn_pma&table=things", "things")
    page("/table/import&db=firn_pma&table=things", "Importing")
    page("/table/operations&db=firn_pma&table=things", "Table options")
    page("/table/operations&db=firn_pma&table=dear", "dear")
    page("/server/privileges&db=firn_pma&table=things&checkprivsdb=firn_pma&checkprivstable=things&viewing_mode=table", "root")
    page("/table/relation&db=firn_pma&table=things", "of_parent")
    page("/table/triggers&db=firn_pma&table=things", "rigger")
    page("/table/indexes&db=firn_pma&table=things&index=made", "made")
    page("/database/designer&db=firn_pma", "things")
    page("/transformation/overview", "ransformation")
    sql("SELECT t.*, p.name FROM things t LEFT JOIN parents p ON p.id = t.parent ORDER BY p.name", "mother")
    sql("SELECT kind, COUNT(*), SUM(price) FROM things GROUP BY kind WITH ROLLUP", "4.25")
    sql("EXPLAIN SELECT * FROM things WHERE made > '2024-01-01'", "things")
    sql("SHOW CREATE TABLE things", "CREATE TABLE")
    sql("CREATE TABLE more (a INT PRIMARY KEY, b VARCHAR(10))")
    sql("INSERT INTO more VALUES (1, 'one'), (2, 'two')")
    sql("UPDATE more SET b = 'zwei' WHERE a = 2")
    sql("SELECT * FROM more LIMIT 0, 25", "zwei")
    sql("ALTER TABLE more ADD c DATE NULL AFTER a, ADD INDEX (b)")
    sql("CHECK TABLE more", "OK")
    sql("ANALYZE TABLE more", "OK")
    sql("OPTIMIZE TABLE more", "status")
    sql("DELETE FROM more WHERE a = 1")
    step("export as SQL", get("/index.php?route=/export", db="firn_pma", export_type="database", export_method="quick",
                              what="sql", quick_or_custom="quick", output_format="astext", asfile="", sql_structure_or_data="structure_and_data",
                              sql_compatibility="NONE", sql_include_comments="1", sql_create_table="1", sql_insert_syntax="both",
                              sql_max_query_size="50000", sql_hex_for_binary="1", sql_type="INSERT", sql_create_view="1", charset="utf-8",
                              compression="none", **{"table_select[]": ["parents", "things"], "table_structure[]": ["parents", "things"],
                                                     "table_data[]": ["parents", "things"], "aliases_new": ""}),
         "CREATE TABLE", "of_parent", "mother")
    step("search of a database", get("/index.php?route=/database/search", db="firn_pma", criteriaSearchString="snow",
                                     criteriaSearchType="1", submit_search="1", ajax_request="1",
                                     **{"criteriaTables[]": ["parents", "things"]}), "things", "match")
    sql("DROP TABLE more")
    sql("DROP DATABASE firn_pma")
finally:
    server.terminate()
    server.wait()
    shutil.rmtree(work)
print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0)
